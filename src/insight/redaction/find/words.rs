//! Words around names, and words that are part of them.

use std::collections::HashSet;
use std::sync::LazyLock;

/// Sets of words in small letters.
macro_rules! words {
    ($($(#[$doc:meta])* $name:ident: $words:literal;)*) => {
        $(
            $(#[$doc])*
            pub(super) static $name: LazyLock<HashSet<&'static str>> =
                LazyLock::new(|| $words.split_whitespace().collect());
        )*
    };
}

words! {
    /// Names of states' people, tongues and faiths that "nationality" means, in small letters. Longer forms
    /// ("Germans") are found by their beginning.
    PEOPLES: "afghan african albanian algerian american andorran angolan arab arabic argentine argentinian \
     armenian asian australian austrian azerbaijani bahamian bahraini bangladeshi barbadian \
     basque belarusian belgian belizean bengali beninese bhutanese bolivian bosnian brazilian \
     british briton bruneian bulgarian burmese burundian cambodian cameroonian canadian caribbean \
     catalan chadian chilean chinese colombian comoran congolese croatian cuban cypriot czech \
     dane danish dominican dutch ecuadorean ecuadorian egyptian emirati english eritrean estonian \
     ethiopian european fijian filipino finn finnish french gabonese gambian georgian german \
     ghanaian greek grenadian guatemalan guinean guyanese haitian hispanic honduran hungarian \
     icelander icelandic indian indonesian iranian iraqi irish israeli italian ivorian jamaican \
     japanese jordanian kazakh kenyan korean kosovar kurdish kuwaiti kyrgyz lao laotian latino \
     latvian lebanese liberian libyan lithuanian luxembourger macedonian malagasy malawian \
     malaysian maldivian malian maltese mauritanian mauritian mexican moldovan mongolian \
     montenegrin moroccan mozambican namibian nepalese nepali nicaraguan nigerian nigerien \
     norwegian omani pakistani palestinian panamanian paraguayan persian peruvian philippine pole \
     polish portuguese qatari romanian russian rwandan salvadoran samoan saudi scottish \
     senegalese serbian seychellois singaporean slovak slovakian slovene slovenian somali \
     spaniard spanish sudanese surinamese swazi swede swedish swiss syrian taiwanese tajik \
     tanzanian thai tibetan togolese tongan trinidadian tunisian turk turkish turkmen ugandan \
     ukrainian uruguayan uzbek venezuelan vietnamese welsh yemeni zambian zimbabwean belizian \
     bermudian chechen faroese greenlander greenlandic monegasque tatar uyghur zulu anglican \
     atheist baptist buddhist catholic christian hindu jew jewish lutheran methodist mormon \
     muslim orthodox protestant sikh sunni shia republican democrat communist socialist";

    /// What people are addressed by.
    TITLES: "mr mrs ms miss mx dr prof professor sir madam lord lady rev reverend";

    /// After these comes somebody.
    BEFORE_PEOPLE: "hi hello hey dear named called said says told asked thanks meet mister surname guardian him \
     her ask by with contact regards sincerely cheers";

    /// Behind somebody come these.
    AFTER_PEOPLE: "said says told asked wrote writes thinks spent began lives lived listed called was is has \
     had points replied here speaking works worked just and will likes wants went knows loves did \
     does can who could would";

    /// After these comes a place.
    BEFORE_PLACES: "in near southern northern eastern western south north east west central to from at around \
     outside across throughout visit visiting via city capital town village university into \
     towards through within downtown leaving greater of";

    /// After these comes a company.
    BEFORE_COMPANIES: "at joined join company employer firm support startup brand manufacturer bank by";

    /// Parts of companies' names.
    OF_COMPANIES: "inc incorporated ltd limited llc llp plc gmbh ag kg corp corporation co company group bank \
     holdings holding partners associates technologies technology capital solutions systems \
     services investments insurance industries labs laboratories ventures media software networks \
     consulting financial analytics international enterprises pharmaceuticals airlines foundation \
     institute sons bros brothers sa spa nv bv ab oy asa pty university college school hospital \
     agency records energy motors health data logistics trust";

    /// What a company is said to be.
    COMPANY_NOUNS: "company bank agency firm corporation manufacturer provider retailer organization \
     organisation startup business charity nonprofit multinational conglomerate brand publisher \
     airline employer subsidiary operator insurer 501";

    /// Words of streets, at the end of their names or by themselves.
    STREETS: "street st road rd avenue ave av boulevard blvd lane ln drive dr court ct place pl square sq \
     terrace way highway hwy parkway pkwy circle cir crescent close row alley plaza pass trail \
     trl loop ridge mews grove gardens hill walk quay wharf parade esplanade streets roads \
     turnpike freeway expressway path bypass strasse straße str weg platz allee gasse ufer damm \
     ring chaussee rue avenida calle via viale piazza corso strada largo rua travessa praça \
     carrer paseo kapu utca u út tér ulica ul ulice aleja trg gatan gata vägen väg vej vei veien \
     gate gade terrasse katu tie laan straat plein kade dreef chemin impasse quai allée carretera \
     camino stræde stien alle gränd stig bakken svingen";

    /// Endings of streets' names in one word.
    STREET_ENDINGS: "straße strasse str weg platz gasse allee gatan vägen vagen vej vejen veien gade gata gaten \
     katu tie kuja polku laan straat plein dreef stien terrassen gränd stigen";

    /// What a dwelling in a house is called.
    DWELLINGS: "apt apartment suite ste unit flat floor room box psc cmr apo fpo dpo po usns uss usnv";

    /// Small words within names of people and places.
    WITHIN_NAMES: "de van von der den del della da di la le bin al el du dos das des ter ten zu y sur upon am \
     an bei";

    /// What never is a name by itself, though the lists know it as one.
    NEVER: "i the a an my your his her our their it is are am was were do does did can could will would \
     shall should may might must have has had in on at of for to from by with and or but so if as \
     he she we they you me him us them this that these those there here what who where when why \
     how which yes no not ok okay please thanks thank hi hello hey dear one two good morning \
     afternoon evening sure well oh sorry let all any some just now then mr mrs ms miss dr i'm \
     i'd i'll i've it's what's that's who's there's don't he's she's we'll we're we've you're \
     can't today tomorrow yesterday tv pm usd eur gbp iban swift pin ssn atm visa email phone \
     website address mastercard amex sms id url faq vat card god mom dad whose";

    WEEKDAYS: "monday tuesday wednesday thursday friday saturday sunday";

    /// The months, in the year's order.
    MONTHS: "january february march april may june july august september october november december";

    /// After "the password is" these are no password.
    NO_PASSWORD: "a an the not wrong incorrect reset expired invalid required too being no never always \
     correct changed locked my your case at to in on sent saved blank same one something what \
     that this needed weak only there working also used and or for important secure stored it \
     i we you they he she of with very really about asked because so if when where why how \
     all just right fine okay ok encrypted hidden masked safe set set. accepted rejected \
     refused valid stolen lost forgotten unknown known compromised long short strong yes sure \
     sorry hold wait don't can't i'm i've i'd let please hang um uh well";

    /// After "Passwort ist", "mot de passe est" and "contraseña es" these aren't, either.
    NO_PASSWORD_ABROAD: "leer jetzt wieder nun anders bald refusé celui obligatoria obligatorio verlopen niet fout het de een \
     falsch abgelaufen weg vergessen gesperrt ungültig nicht kein neu alt immer leider auch noch schon zu \
     seit das der die ein eine dasselbe sicher richtig geändert unbekannt mir ihm bei wie was \
     incorrecte faux expiré oublié bloqué trop pas toujours le la un une périmé erroné perdu valide \
     incorrecta incorrecto errónea erróneo muy demasiado el una inválida correcta vieja nueva";

    /// After "password:" these begin a sentence, and are no password.
    NO_WRITTEN_PASSWORD: "i i'm i've i'd you we they please sorry don't can't what where why how when if not it's none n/a";

    /// Names with capitals or digits in them that stand behind "password" and are none.
    PRODUCTS: "iphone ipad icloud ebay paypal lastpass onedrive youtube linkedin whatsapp github facetime tiktok \
     wifi 1password office365 microsoft365 windows10 windows11 macbook playstation outlook365 keepass mcafee \
     openid chatgpt salesforce hubspot airtag airpods";

    /// Here a password that is said is over.
    ENDS_PASSWORD: "and but so can could please thanks thank is then okay ok for because i you which with if";
}
