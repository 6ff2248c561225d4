from common.service import run
from messenger.app import main

run(main)
