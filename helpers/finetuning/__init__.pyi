# Written by tools/write_stubs.py from __init__.py.
from helpers.finetuning.log import Diary as Diary
from helpers.finetuning.loss import denoising_loss as denoising_loss
from helpers.finetuning.loss import draw as draw
from helpers.finetuning.weights import Weights as Weights
from helpers.finetuning.weights import parameters as parameters
