"""How Picturebook is trained: one command per part, each resumable after a kill, the same on a CPU and a GPU.

    python -m training.pool          draw the training pictures
    python -m training.autoencoder   pictures <-> latents
    python -m training.judge         pictures -> what is in them
    python -m training.words         the tokenizer and the text encoder
    python -m training.unet          the denoiser
    python -m training.pack          the folder that is shipped, and its model card

All write to `runs/`: checkpoints, a log and a sample sheet as they go. `pack` ships what is there, and tools/remake.py
then measures everything anew: all numbers of the course are those of the shipped weights.

A training goes on from the shipped weights with `--start` and the shipped file. The shipped ones came of three rounds:
the first by the defaults above, the others by these, on two cores, with `--start` from the round before:

    pool --first 14 --shards 14; pool --all-combinations --first 12 --shards 14
    autoencoder --minutes 77 --batch 16 --peak 1.5e-3; then latents
    judge --minutes 146 --peak 1.5e-3; again with --minutes 159 and 172
    unet --minutes 233 --decay 0.26

    pool --first 28 --shards 18; pool --all-combinations --first 26 --shards 18; then latents
    judge --minutes 232 --peak 1.5e-3
    unet --minutes 280 --peak 7e-4 --decay 0.2
"""
