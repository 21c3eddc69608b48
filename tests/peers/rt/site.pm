# Request Tracker's settings in the tests: everything in one folder, mail into a file.
use utf8;
my $folder = $ENV{RT_PEER_FOLDER};
my $port = $ENV{RT_PEER_PORT} || 8080;
Set($rtname, 'peer.test');
Set($Organization, 'peer.test');
Set($CorrespondAddress, 'rt@peer.test');
Set($CommentAddress, 'rt-comment@peer.test');
Set($WebDomain, '127.0.0.1');
Set($WebPort, $port);
Set($WebPath, '');
Set($WebBaseURL, "http://127.0.0.1:$port");
Set($DatabaseType, 'SQLite');
Set($DatabaseName, "$folder/rt.sqlite");
Set($MailCommand, 'sendmailpipe');
Set($SendmailPath, "$ENV{RT_PEER_HOME}/sendmail");
Set($MasonDataDir, "$folder/mason");
Set($MasonSessionDir, "$folder/session");
Set($MasonLocalComponentRoot, "$folder/local");
Set($LogToSyslog, undef);
Set($LogToSTDERR, 'warning');
Set($Timezone, 'UTC');
# Every request is authenticated with bcrypt: at the default of 12 that is 0.3 s of a processor each.
Set($BcryptCost, 4);
# Whoever is no administrator can search by these and no others; the default has no telephone numbers.
Set($UserSummaryExtraInfo, 'RealName, EmailAddress, MobilePhone, WorkPhone, Name');
1;
