from common.service import run
from users.app import main

run(main)
