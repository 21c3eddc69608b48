# Fills a fresh database of Request Tracker with what a company would have set up by hand: a user for the
# integration who is no administrator, with a token of its own, what it may do, and the fields that are read.
# Prints the token.
use strict;
use warnings;
use lib '/usr/share/request-tracker5/lib';
use RT;
use RT::AuthToken;
RT->LoadConfig;
RT->Init;
my $system = RT->SystemUser;

sub made { my ($what, $ok, $why) = @_; die "$what: " . ($why // 'unknown') . "\n" unless $ok; return $ok }

my $user = RT::User->new($system);
made('user', $user->Create(
    Name => 'backchannel', EmailAddress => 'backchannel@peer.test', RealName => 'Backchannel', Privileged => 1,
));
my $queue = RT::Queue->new($system);
$queue->Load('General');
my $class = RT::Class->new($system);
$class->Load('General');
made('class', $class->Create(Name => 'General', Description => 'Articles')) unless $class->id;

made("right $_", $user->PrincipalObj->GrantRight(Right => $_, Object => $queue)) for qw(
    SeeQueue ShowTicket ShowTicketComments CreateTicket CommentOnTicket ModifyTicket OwnTicket SeeCustomField
    ModifyCustomField
);
made("right $_", $user->PrincipalObj->GrantRight(Right => $_, Object => $class)) for qw(
    SeeClass ShowArticle CreateArticle ModifyArticle ShowArticleHistory SeeCustomField ModifyCustomField
    DisableArticle
);

# What RT itself hasn't: how a contact is served, and the key of what was written.
my @fields = (
    [ 'Tier', 'RT::User', $system ],
    [ 'BackchannelKey', 'RT::Queue-RT::Ticket', $queue ],
    [ 'Content', 'RT::Class-RT::Article', $class ],
);
for my $wanted (@fields) {
    my ($name, $lookup, $on) = @$wanted;
    my $field = RT::CustomField->new($system);
    $field->LoadByCols(Name => $name, LookupType => $lookup);
    made($name, $field->Create(
        Name => $name, Type => $name eq 'Content' ? 'Text' : 'Freeform', LookupType => $lookup, MaxValues => 1,
    )) unless $field->id;
    my $object = $lookup eq 'RT::User' ? RT::User->new($system) : $on;
    $field->AddToObject($object) unless $field->IsAdded($object->id || 0);
    made("right on $name", $user->PrincipalObj->GrantRight(Right => $_, Object => $field))
        for qw(SeeCustomField ModifyCustomField);
}

my $current = RT::CurrentUser->new($user);
my $token = RT::AuthToken->new($system);
my ($ok, $why, $secret) = $token->Create(Owner => $user->id, Description => 'the integration');
made('token', $ok, $why);
print "$secret\n";
