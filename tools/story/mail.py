"""What has arrived in a mailbox (Maildir): the newest message as a person reads it.

    mail.py MAILBOX           headers and text
    mail.py MAILBOX --link    the address in it, nothing else
"""

import email
import email.policy
import pathlib
import re
import sys


def newest(mailbox):
    messages = sorted(pathlib.Path(mailbox, "new").glob("*"), key=lambda path: path.stat().st_mtime_ns)
    if not messages:
        sys.exit("the mailbox is empty")
    return email.message_from_bytes(messages[-1].read_bytes(), policy=email.policy.default)


def main():
    message = newest(sys.argv[1])
    text = message.get_body(("plain",)).get_content()
    if sys.argv[2:] == ["--link"]:
        links = {link.split("#")[0] for link in re.findall(r"https://\S+/approvals/\S+", text)}
        if len(links) != 1:
            sys.exit(f"the mail names {len(links)} addresses")
        print(links.pop())
        return
    for header in ("From", "To", "Subject", "Message-ID", "Content-Type"):
        print(f"{header}: {' '.join(str(message[header]).split())}")
    print("\n" + text.strip())


main()
