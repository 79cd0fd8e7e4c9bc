#!/bin/bash
# Usage: as-init.sh COMMAND...: runs the command as a child of this shell, which reaps the orphans of a process
# namespace whose first process it is.
"$@"
exit "$?"
