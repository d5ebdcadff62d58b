"""The second ground of script/calibrate: set-ups on servers that were not written for the lab.

The lab and the rules of src/explain grew up together; what both take for granted, neither shows. Here the servers are nginx, Apache, Node, Go, and
small ones in Python of the kinds that people write. What is wrong with each is done with that server's own means.

    setup.py     what a set-up is: servers, a command line, the cause that is to be found, what is put right
    setups/      the set-ups, a file for each family of causes
    servers/     how each kind of server is started; programs/ has those that are ours
    harness.py   runs a set-up, with a busy machine beside it or without, and what was put right
    remedy.py    a command line with the option of a finding
    row.py       what a run came to, and whether that is right
    totals.py    what all runs came to, and whether that is enough
"""
