// Which of the live conversations is the one with the person whose page is open.

// Where the digit that is dialled within the country belongs to the number: Italy, San Marino.
const KEEPS_ZERO = ['39', '378'];

/**
 * A number in E.164, or '' where it can't be told. `country` is a calling code such as `+44`: what has no code of its own is
 * one of there. Without it only whole international numbers count, since two countries' numbers end alike.
 */
export function e164(text, country = '') {
  const written = text.trim().replace(/^tel:/i, '');
  if (!/^\+?[\d\s().\/-]+$/.test(written)) return '';
  const code = country.replace(/\D/g, '');
  const digits = written.replace('(0)', '').replace(/\D/g, '');
  if (written.startsWith('+')) return possible(digits);
  const abroad = code === '1' ? /^(00|011)/ : /^00/;
  if (abroad.test(digits)) return possible(digits.replace(abroad, ''));
  if (code === '') return '';
  // In these the whole number has ten digits, and a digit before it is the one for calls within.
  const ten = { 1: /^1?(\d{10})$/, 7: /^8?(\d{10})$/ }[code];
  if (ten) return ten.test(digits) ? `+${code}${ten.exec(digits)[1]}` : '';
  return possible(code + (KEEPS_ZERO.includes(code) ? digits : digits.replace(code === '36' ? /^06/ : /^0/, '')));
}

const possible = (digits) => (/^[1-9]\d{7,14}$/.test(digits) ? `+${digits}` : '');

// The company's own line is in every call, and may stand on every page.
const CALLED = /^(to|called|dnis|called_number)$/i;
const CALLING = /^(from|caller|ani|caller_number)$/i;

/** The conversations that carry one of the numbers or addresses in their attributes: the very same, and nothing like it. */
export function matching(conversations, { phones, emails }, country = '') {
  const numbers = new Set(phones.map((one) => e164(one, country)).filter(Boolean));
  const addresses = new Set(emails.map((one) => one.toLowerCase()));
  return conversations.filter(({ attributes }) =>
    Object.entries(attributes ?? {}).some(([name, value]) => {
      const ours = attributes.direction === 'outbound' ? CALLING : CALLED;
      if (ours.test(name)) return false;
      const text = String(value).replace(/^(tel|sip|mailto):/i, '');
      return addresses.has(text.toLowerCase()) || numbers.has(e164(text.split('@')[0], country));
    }),
  );
}

/** `Daniel Okafor · since 14:05`, as far as it is known. */
export function nameOf({ parties, attributes, started_at: started }) {
  const customer = (parties ?? []).find((party) => party.role === 'customer');
  const name = customer?.name ?? attributes?.customer_name ?? attributes?.from ?? 'Customer';
  return `${name} · since ${new Date(started).toLocaleTimeString([], { hour: '2-digit', minute: '2-digit' })}`;
}
