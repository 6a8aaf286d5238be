import pytest

from fashseg.figures import style
from fashseg.figures.curves import curves


def _rows(epochs, score="accuracy"):
    return [
        {
            "epoch": float(epoch),
            "train_loss_running": 0.5 / epoch,
            "train_accuracy_running": 1 - 0.3 / epoch,
            "train_loss": 0.4 / epoch,
            "train_accuracy": 1 - 0.25 / epoch,
            "val_loss": 0.45 / epoch,
            "val_accuracy": 1 - 0.28 / epoch,
            f"val_{score}": 1 - 0.28 / epoch,
            "learning_rate": 0.001,
        }
        for epoch in range(1, epochs + 1)
    ]


def _legend(figure):
    return [text.get_text() for text in figure.legends[0].get_texts()]


def test_a_classifier_has_loss_accuracy_and_rate():
    figure = curves(_rows(10), "accuracy")
    assert [axes.get_title("left") for axes in figure.axes] == ["loss", "accuracy", "learning rate"]
    assert [len(axes.lines) for axes in figure.axes] == [3, 3, 1]
    assert _legend(figure) == ["training, running", "training, end of epoch", "validation"]
    assert figure.axes[-1].get_xlabel() == "epoch"


def test_lines_hold_the_numbers_in_colours_and_styles_of_their_own():
    loss = curves(_rows(3), "accuracy").axes[0]
    running, fixed, validation = loss.lines
    assert running.get_xydata().tolist() == [[1, 0.5], [2, 0.25], [3, pytest.approx(0.5 / 3)]]
    assert fixed.get_ydata()[0] == 0.4
    assert validation.get_ydata()[0] == 0.45
    assert [line.get_color() for line in loss.lines] == [
        style.COLOURS[role] for role in ("train_running", "train", "val")
    ]
    assert len({line.get_marker() for line in loss.lines}) == 3
    assert len({str(line._dash_pattern) for line in loss.lines}) == 3


def test_a_segmenter_has_its_score_in_a_panel_of_its_own():
    figure = curves(_rows(4, "average_precision"), "average_precision")
    titles = [axes.get_title("left") for axes in figure.axes]
    assert titles == ["loss", "pixel accuracy", "average precision", "learning rate"]
    assert len(figure.axes[2].lines) == 1


def test_one_epoch_is_a_marker():
    loss = curves(_rows(1), "accuracy").axes[0]
    assert {line.get_marker() for line in loss.lines} == {"o", "s", "^"}
    assert loss.lines[0].get_xydata().tolist() == [[1, 0.5]]


def test_markers_do_not_hide_the_lines_of_many_epochs():
    assert curves(_rows(40), "accuracy").axes[0].lines[0].get_marker() in ("", "None")


def test_old_files_lack_columns_and_cells():
    rows = _rows(3, "average_precision")
    for row in rows:
        del row["val_accuracy"], row["train_accuracy"], row["train_accuracy_running"], row["train_loss"]
    rows[1]["val_loss"] = None
    figure = curves(rows, "average_precision")
    assert [axes.get_title("left") for axes in figure.axes] == ["loss", "average precision", "learning rate"]
    running, validation = figure.axes[0].lines
    assert running.get_label() == "training, running"
    assert validation.get_xdata().tolist() == [1, 3]


def test_epochs_are_whole_and_the_rate_is_plain():
    figure = curves(_rows(2), "accuracy")
    style.svg(figure)
    low, high = figure.axes[-1].get_xlim()
    ticks = [tick for tick in figure.axes[-1].get_xticks() if low <= tick <= high]
    assert ticks == [1, 2]
    assert "0.001" in {label.get_text() for label in figure.axes[-1].get_yticklabels()}


def test_no_rows_is_an_empty_figure():
    assert curves([], "accuracy").axes == []


def test_it_fits_a_telephone():
    assert curves(_rows(3), "accuracy").get_figwidth() <= 7
