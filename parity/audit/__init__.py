"""Would these tests have noticed? Known bugs put into the code under test, and its own tests run on each."""
