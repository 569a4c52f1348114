"""The course: fifteen lessons along chapter 7 and on trust, exercises that are judged, in several languages.

    python -m scratchcnn learn          lists the lessons
    python -m scratchcnn learn 5        writes lesson5/: the lesson and a file with gaps

A lesson's words are in words/LANGUAGE/lessonNN.toml, its code in cells/NN.py, its exercise in exercises.py
and solutions/. matplotlib and jupytext are needed by the lessons themselves, not to write or judge them.
"""
