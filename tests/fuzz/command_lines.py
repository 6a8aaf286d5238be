"""Command lines that nobody thought of: options with values that fit and that do not, groups, flags, and tricks."""

from hypothesis import strategies as st

from fashseg.checking import option_paths
from fashseg.config import CHOICES, Train

# Whatever is behind a "=" and is not what an option expects, or is.
NUMBERS = st.one_of(
    st.integers(-3, 300).map(str),
    st.integers().map(str),
    st.floats().map(str),
    st.sampled_from(["nan", "inf", "-inf", "1e999", "-0", "1_000", "0x10", "1e-3", ".5", "5.", "9" * 5000, "2" * 19]),
)
WORDS = st.sampled_from(
    [
        *(
            "true",
            "false",
            "null",
            "None",
            "auto",
            "cpu",
            "gpu",
            "16",
            "bf16",
            "64",
            "random",
            "building",
            "test",
            "val",
        ),
        *(
            "best",
            "last",
            "cnn",
            "adam",
            "sgd",
            "flip",
            "debug",
            "???",
            "-",
            "--",
            ".",
            "..",
            "/",
            "~",
            "$",
            "%s",
            "{}",
        ),
    ]
)
TRICKS = st.sampled_from(
    [
        *("", "''", '""', "'", '"', "'a", "\\", "\\'", "a b", "a=b", "=", "==", "a:b", ":", ",", "a,b", ",,", "(", ")"),
        *("[", "]", "[]", "[1,2]", "[[[", "[" * 2000, "{", "{}", "{a:1}", "{a:{b:[1]}}", "{a", "{" * 2000, "[1,[2]]"),
        *("${oc.env:HOME}", "${oc.env:NOT_THERE}", "${seed}", "${nothing}", "${", "${}", "}", "\\${seed}", "${.x}"),
        *("${oc.env:HOME,1}", "${hydra:job.name}", "${now:%Y}", "${oc.decode:1}", "${${seed}}", "${" * 500, "${..}"),
        *("${model}", "${epochs}${epochs}", "${oc.create:{a:1}}", "${oc.dict.keys:model}", "${resume}", "a${seed}b"),
        *("1,2", "range(0,3)", "range(0,1e9)", "range(3)", "range(1,2,0)", "choice(1,2)", "choice()", "glob(*)", "x()"),
        *(
            "interval(0,1)",
            "shuffle(1,2)",
            "sort(2,1)",
            "tag(a,choice(1,2))",
            "int(a)",
            "float(1)",
            "str(1)",
            "bool(x)",
        ),
        *("json_str([1])", "extend_list(1)", "choice(a", "glob([)", "range(a,b)", "int(1,2)", "cast(1)", "sort(a,1)"),
        *(
            "\x1b[31m",
            "\n",
            "a\nb",
            "\t",
            "\r",
            "\x00",
            "\x7f",
            "\x85",
            "\u2028",
            "\u202e",
            "\udcff",
            "😀",
            "ｅ",
            "ß",
            "é",
        ),
        *(
            "<script>",
            "'a, b'",
            '"a\'b"',
            "@",
            "a@b",
            "#",
            "!",
            "!!python/none",
            "&a",
            "*a",
            "|",
            ">",
            "- a",
            "x" * 5000,
        ),
        *("nowhere", "/nowhere/at/all", "/dev/null", "/etc/passwd", "../..", "a/b", "file://x", "pkg://os", "C:\\x"),
    ]
)
VALUES = st.one_of(NUMBERS, WORDS, TRICKS, st.text(max_size=12), st.lists(NUMBERS, max_size=3).map(",".join))
NUMBER_LIKE = st.sampled_from(["0", "1", "3", "-1", "0.5", "1e9", "1e300", "inf", "nan", "9" * 5000, "a", ""])
SWEEPS = st.builds(
    lambda shape, start, stop, step: shape.format(start, stop, step),
    st.sampled_from(
        [
            *("{},{}", "range({})", "range({},{})", "range({},{},{})", "shuffle(range({},{},{}))", "choice({},{})"),
            *("sort(range({},{}))", "sort({},{},reverse=true)", "interval({},{})", "glob({})", "shuffle({},{},{})"),
            *(
                "float(range({},{}))",
                "tag(x,range({},{}))",
                "int({},{})",
                "str(choice({},{}))",
                "range(start={},stop={})",
            ),
        ]
    ),
    NUMBER_LIKE,
    NUMBER_LIKE,
    NUMBER_LIKE,
)
SIGNS = st.sampled_from(["", "", "", "", "", "", "", "+", "++", "~", "-", "+~", "@", "+++"])
HYDRA = st.sampled_from(
    [
        *("hydra.run.dir", "hydra.sweep.dir", "hydra.sweep.subdir", "hydra.job.chdir", "hydra.verbose", "hydra.mode"),
        *("hydra.searchpath", "hydra.output_subdir", "hydra.job.name", "hydra.job.env_set", "hydra.help.template"),
        *(
            "hydra/launcher",
            "hydra/sweeper",
            "hydra/job_logging",
            "hydra/help",
            "hydra/output",
            "hydra",
            "hydra.",
            "hydra/",
        ),
        *("hydra.launcher._target_", "hydra.sweeper.max_batch_size", "hydra.callbacks.x", "hydra.nothing", "hydra@x"),
    ]
)
FLAGS = st.sampled_from(
    [
        *("-m", "--multirun", "--help", "-h", "--hydra-help", "--version", "--info", "--info=all", "--info=nothing"),
        *(
            "--resolve",
            "-p",
            "--package=model",
            "--package=nothing",
            "-cn",
            "-cd",
            "-cp=x",
            "--config-dir=.",
            "--shell",
        ),
        *(
            "--config-dir=nowhere",
            "--config-name=x",
            "--cfg=hydra",
            "--cfg=all",
            "--cfg=x",
            "--run",
            "--",
            "-",
            "--x=1",
        ),
        *("-sc", "-sc install=bash", "--cfg", "--experimental-rerun=x", "-e", "--hel", "--mult"),
    ]
)


GOOD = [
    *("model=segnet", "model=cnn", "model=vgg", "model=vgg", "optimizer=sgd", "optimizer=adamw", "scheduler=cosine"),
    *(
        "scheduler=one_cycle",
        "augment=flip_shift",
        "data=synthetic_fashion",
        "data=facade",
        "trainer=cpu",
        "logger=none",
    ),
    *("epochs=3", "batch_size=7", "seed=4294967295", "seed=1,2", "-m", "experiment=debug", "experiment=report_segnet"),
    *("notes='a, b'", "eval_train=false", "eval_train=3", "trainer.precision=64", "optimizer.lr=1e-3", "page=false"),
    *(
        "callbacks.convergence.threshold=0.1",
        "callbacks.ema.decay=0.9",
        "trainer.devices=2",
        "data.workers=null",
        "data.val_share=0.5",
        "+debug=true",
    ),
]


def words_for(schema: type) -> st.SearchStrategy[list[str]]:
    """Mixtures of options of a verb with values that fit and that do not, groups, Hydra's own keys, and flags."""
    names = st.sampled_from(sorted(option_paths(schema)))
    groups = st.sampled_from([*CHOICES, "trainer", "logger", "callbacks", "experiment", "none", "model/x", "data@x.y"])
    choices = [name for kinds in CHOICES.values() for name in kinds] + ["auto", "cpu", "debug", "report_cnn", "default"]
    odd = st.one_of(
        names.map(lambda name: name[:-1]),
        names.map(lambda name: f"{name}.x"),
        names.map(str.upper),
        names.map(lambda name: name.replace(".", "/")),
        st.sampled_from(["", ".", "a.b", "model.", ".model", "model..name", "_target_", "model._target_", "x" * 300]),
        st.sampled_from(["model[0]", "model.widths[0]", "data.mirrors.0", "defaults", "_self_", "a b", "é", "\x1b[1m"]),
        st.text(max_size=8),
    )
    keys = st.one_of(names, names, names, groups, odd, HYDRA)
    chosen = st.builds(
        lambda sign, group, name: f"{sign}{group}={name}", SIGNS, groups, st.sampled_from(choices) | VALUES
    )
    set_ = st.builds(lambda sign, key, value: f"{sign}{key}={value}", SIGNS, keys, VALUES)
    bare = st.builds(lambda sign, key: f"{sign}{key}", SIGNS, keys)
    word = st.one_of(set_, set_, set_, set_, chosen, chosen, bare, FLAGS, VALUES)
    several = st.builds(lambda key, values: ["-m", f"{key}={values}"], names, SWEEPS)
    # What is wrong is found one thing at a time, so most of a line has to be right for the rest to be looked at.
    good = st.lists(st.sampled_from(GOOD if schema is Train else ["debug=false"]), max_size=4, unique=True)
    rest = st.one_of(st.lists(word, max_size=2), st.lists(word, max_size=5), several)
    return st.builds(lambda right, wrong: [*right, *wrong], good, rest)
