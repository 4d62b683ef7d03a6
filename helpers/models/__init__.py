"""Text-to-image models behind one interface: Picturebook, Stable Diffusion, and the exact one of two dimensions."""
