"""A crowd of phones in one SIPp: every number answers, presses 1, and waits for the BYE."""

import shutil
import tempfile
from pathlib import Path

from tests.lab.ports import HOST, free_udp_port
from tests.lab.processes import Child

# The key 1 as RTP events; Debian's package sip-tester brings it.
KEY_PCAP = Path("/usr/share/sip-tester/dtmf_2833_1.pcap")
AGAIN_SECONDS = 4.0

SCENARIO = """<?xml version="1.0" encoding="UTF-8"?>
<scenario name="presses">
  <recv request="INVITE"/>
  <send><![CDATA[

      SIP/2.0 180 Ringing
      [last_Via:]
      [last_From:]
      [last_To:];tag=[pid]-[call_number]
      [last_Call-ID:]
      [last_CSeq:]
      Contact: <sip:crowd@[local_ip]:[local_port]>
      Content-Length: 0

  ]]></send>
  <send retrans="500"><![CDATA[

      SIP/2.0 200 OK
      [last_Via:]
      [last_From:]
      [last_To:];tag=[pid]-[call_number]
      [last_Call-ID:]
      [last_CSeq:]
      Contact: <sip:crowd@[local_ip]:[local_port]>
      Content-Type: application/sdp
      Content-Length: [len]

      v=0
      o=phone 1 1 IN IP4 [local_ip]
      s=-
      c=IN IP4 [media_ip]
      t=0 0
      m=audio [media_port] RTP/AVP 0 101
      a=rtpmap:0 PCMU/8000
      a=rtpmap:101 telephone-event/8000
      a=fmtp:101 0-16

  ]]></send>
  <recv request="ACK"/>
  <recv request="BYE" timeout="%(key_ms)d" ontimeout="press" next="over"/>
  <label id="press"/>
  <nop><action><exec play_pcap_audio="%(pcap)s"/></action></nop>
  <recv request="BYE" timeout="%(again_ms)d" ontimeout="press" next="over"/>
  <label id="over"/>
  <send><![CDATA[

      SIP/2.0 200 OK
      [last_Via:]
      [last_From:]
      [last_To:]
      [last_Call-ID:]
      [last_CSeq:]
      Content-Length: 0

  ]]></send>
</scenario>
"""


class Phones:
    """The crowd. A phone presses 1 after `key` seconds, and again every few seconds."""

    def __init__(self, key: float = 1.0) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="benchmark-sipp-"))
        self.port = free_udp_port()
        self._scenario = self.folder / "phones.xml"
        self._scenario.write_text(
            SCENARIO % {"key_ms": key * 1000, "again_ms": AGAIN_SECONDS * 1000, "pcap": KEY_PCAP}
        )
        self._child: Child | None = None

    def start(self) -> None:
        """Start SIPp. Calls that come before it is ready are sent again by Asterisk."""
        argv: list[str | Path] = ["sipp", "-sf", self._scenario, "-nostdin"]
        argv += ["-i", HOST, "-p", str(self.port), "-mi", HOST, "-mp", str(free_udp_port())]
        argv += ["-cp", str(free_udp_port()), "-trace_err", "-error_file", self.folder / "errors"]
        self._child = Child(argv, self.folder / "screen", cwd=self.folder)

    @property
    def pid(self) -> int:
        assert self._child, "the phones are not started"
        return self._child.pid

    async def stop(self) -> None:
        """End SIPp and remove its folder."""
        if self._child:
            await self._child.kill()
        shutil.rmtree(self.folder, ignore_errors=True)
