"""How somebody's code is loaded, built, called and kept in a process of its own."""
