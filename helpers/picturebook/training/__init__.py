"""How Picturebook is trained: one command per part, each resumable after a kill, the same on a CPU and a GPU.

    python -m helpers.picturebook.training.pool          draw the training pictures
    python -m helpers.picturebook.training.autoencoder   pictures <-> latents
    python -m helpers.picturebook.training.judge         pictures -> what is in them
    python -m helpers.picturebook.training.words         the tokenizer and the text encoder
    python -m helpers.picturebook.training.unet          the denoiser
    python -m helpers.picturebook.training.pack          the folder that is shipped, and its model card

All write to `runs/` (not in git): checkpoints, a log and a sample sheet as they go.
"""
