mod agent;
mod hostile;
mod rtp;
mod transfer;
mod wire;

/// The metadata of RFC 7865's examples, shortened.
const METADATA: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
<recording xmlns="urn:ietf:params:xml:ns:recording:1"><datamode>complete</datamode>
 <session session_id="S"><sipSessionID>ab30317f1a784dc4;remote=47755a9d</sipSessionID></session>
 <participant participant_id="P1"><nameID aor="sip:+15551230001@example.com"><name>Ada</name></nameID></participant>
 <participant participant_id="P2"><nameID aor="sip:agent7@example.com"/></participant>
 <stream stream_id="T1" session_id="S"><label>96</label></stream>
 <stream stream_id="T2" session_id="S"><label>97</label></stream>
 <sessionrecordingassoc session_id="S"><associate-time>2026-01-01T00:00:00Z</associate-time></sessionrecordingassoc>
 <participantstreamassoc participant_id="P1"><send>T1</send><recv>T2</recv></participantstreamassoc>
 <participantstreamassoc participant_id="P2"><send>T2</send><recv>T1</recv></participantstreamassoc>
</recording>"#;

/// Two streams with labels, the second in A-law with keys.
const OFFER: &str = "v=0\r\no=src 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\n\
    m=audio 12240 RTP/AVP 0 4 8\r\na=sendonly\r\na=label:96\r\n\
    m=audio 22456 RTP/AVP 8 101\r\na=rtpmap:8 PCMA/8000\r\na=rtpmap:101 telephone-event/8000\r\n\
    a=sendonly\r\na=label:97\r\na=rtcp-mux\r\n";
