"""Pictures of any kind to labels: read, brought to what a model was trained on, labelled, brought back. From Python:
`fashseg.predicting.predictor.Predictor`.
"""
