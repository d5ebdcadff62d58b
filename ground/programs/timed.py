"""timed.py FILE COMMAND...: runs the command and writes its processor time into the file, in seconds. What stands in front of this one, as muster watch, is not counted."""
import os
import sys

pid = os.posix_spawnp(sys.argv[2], sys.argv[2:], os.environ)
_, status, used = os.wait4(pid, 0)
with open(sys.argv[1], "w") as file:
    file.write(str(used.ru_utime + used.ru_stime))
sys.exit(os.waitstatus_to_exitcode(status) & 0xFF)
