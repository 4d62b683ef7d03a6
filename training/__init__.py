"""How Picturebook is trained: one command per part, each resumable after a kill, the same on a CPU and a GPU.

    python -m training.all --minutes 9      does what comes next of all this, for nine minutes; again, until all is done

    python -m training.pool          draw pictures, 256 x 256, to learn pictures from; --all-combinations: for the judge
    python -m training.words         the tokenizer and the text encoder
    python -m training.autoencoder   pictures <-> latents; then --decoder --adversary 0.05: sharper pictures
    python -m training.judge         pictures -> what is in them
    python -m training.latents       more drawings, kept as latents only
    python -m training.unet          the denoiser: as long as it is let, then once with --falling; --partner: a fifth
                                     faster on two cores
    python -m training.examine       what a denoiser draws, scored
    python -m training.pack          the folder that is shipped, and the judge

All write to `runs/`, which may be a link to another disk: checkpoints every three minutes, a log, scores and a sample
sheet as they go. The random numbers of step k depend on k alone, so a run that is killed sees what one run would have.
`pack` ships what is there, of the autoencoder its last phase. tools/remake.py then measures everything anew: all
numbers of the course are those of the shipped weights.

All but `words` go on from shipped weights with `--start`, and `training.all` does so. An autoencoder that did keeps
what its latents mean (per channel they are correlated by 0.97 and more with those before it grew to 256 px). So the
denoiser can do so too; it needs the text encoder that it knows. After the autoencoder has changed, all has to be
encoded again: delete runs/latents/.

The denoiser's matrices are Muon's (`--no-muon`: AdamW's, as all else). `--partner` takes twice as many pictures a step,
so a run keeps it or goes without it to its end. A run that starts from shipped weights counts its pictures and minutes
from nought.

The denoiser's rate is level, so that nobody need know beforehand how long it will be trained. To end it, ask for
`--pictures N --falling M`: over the last M of N pictures the rate falls to 0.

A machine of two cores that others share gives more with one thread than with two, which wait for each other; alone, two
give 1.7 to 1.9 times as much as one. What was tried, and how fast it is: results/training_choices.json.
"""
