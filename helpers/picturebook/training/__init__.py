"""How Picturebook is trained: one command per part, each resumable after a kill, the same on a CPU and a GPU.

    python -m helpers.picturebook.training.pool          draw the training pictures
    python -m helpers.picturebook.training.autoencoder   pictures <-> latents
    python -m helpers.picturebook.training.judge         pictures -> what is in them
    python -m helpers.picturebook.training.words         the tokenizer and the text encoder
    python -m helpers.picturebook.training.unet          the denoiser
    python -m helpers.picturebook.training.pack          the folder that is shipped, and its model card

All write to `runs/`: checkpoints, a log and a sample sheet as they go. Of these git has only the weights of a training
that has gone further than the shipped ones and is not shipped yet: `pack` ships them, and tools/remake.py then measures
everything anew. All numbers of the course are those of the shipped weights.

What is in `runs/` now came of the shipped weights (`--start`) by these, and the shipped text encoder belongs to it (as
runs/words/text_encoder.safetensors):

    pool --first 14 --shards 14; pool --all-combinations --first 12 --shards 14
    autoencoder --minutes 77 --batch 16 --peak 1.5e-3; then latents
    judge --minutes 146 --peak 1.5e-3; again with --minutes 159
    unet --minutes 233 --decay 0.26
"""
