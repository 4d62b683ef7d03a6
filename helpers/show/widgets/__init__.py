"""What a reader can move: sliders, canvases, panels. `running` has no widget in it: a method as a form to fill in."""
