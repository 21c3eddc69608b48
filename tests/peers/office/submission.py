"""A submission server: PORT FOLDER CERTIFICATE KEY.

It wants a login, takes mails into FOLDER as <n>.eml beside <n>.to, and is difficult when a recipient's name says so.
"""

import pathlib
import ssl
import sys
import time

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, LoginPassword

port, folder, certificate, key = int(sys.argv[1]), pathlib.Path(sys.argv[2]), sys.argv[3], sys.argv[4]


class Kept:
    def __init__(self):
        self.count = 0

    async def handle_RCPT(self, server, session, envelope, address, options):
        if address.startswith("unknown@"):
            return "550 nobody of that name"
        if address.startswith("later@"):
            return "451 try again later"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        if any(to.startswith("unloved@") for to in envelope.rcpt_tos):
            return "554 no such words here"
        self.count += 1
        (folder / f"{self.count}.eml").write_bytes(envelope.original_content)
        (folder / f"{self.count}.to").write_text("\n".join([envelope.mail_from, *envelope.rcpt_tos]))
        return "250 kept"


def authenticate(server, session, envelope, mechanism, data):
    right = isinstance(data, LoginPassword) and data.password == b"open-sesame"
    return AuthResult(success=right)


context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(certificate, key)
Controller(
    Kept(),
    hostname="127.0.0.1",
    port=port,
    tls_context=context,
    authenticator=authenticate,
    auth_required=True,
    auth_require_tls=False,
).start()
print("ready", flush=True)
while True:
    time.sleep(3600)
