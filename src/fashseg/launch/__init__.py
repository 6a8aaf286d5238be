"""Jobs of a sweep in several processes: on this machine by joblib, on a cluster by submitit. See docs/scale.md."""
