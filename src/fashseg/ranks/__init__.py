"""Several processes that train one network together: who they are, who starts them, how they find each other.

The first process, of rank 0, is the leader: it reads options, chooses the folder, looks at the data, and then calls up
the others, the followers, which get the whole job from it. They are started by the leader itself (`crew`), or by
torchrun or srun beside it (`elsewhere`); what they do is the same (`follower`).
"""
