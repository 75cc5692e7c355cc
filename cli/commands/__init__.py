"""One file per noun: options and help texts. What the commands do is in the modules beside this folder."""
