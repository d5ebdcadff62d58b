"""The third ground of script/calibrate: small programs as people write them, watched by muster watch. Each is slow for one reason, or for none of its own.

    entry.py      what the table says of a program: where it runs, what is to be found, on which line, what its remedied twin is
    entries/      the table, a file for each family of libraries; healthy.py and innocent.py are what must not fool
    bed.py        where a program runs: beside the lab, or beside servers of ground/servers
    libraries.py  the interpreters: virtual environments with the newest libraries and with Debian 12's, a folder of Node's, Go's compiler
    run.py        runs a program as it is, watched, and its twin
    result.py     what that came to, and whether it is right
    python/ node/ curl/ go/   the programs. They say nothing of what is wrong with them: whoever watches them must not be told
"""
