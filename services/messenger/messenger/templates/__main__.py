import sys

from messenger.templates.command import main

sys.exit(main(sys.argv[1:]))
