// Which of the live conversations is the one with the person whose page is open.

// National and international spellings of one number share at least these digits.
const SHARED_DIGITS = 9;
const tail = (text) => text.replace(/\D/g, '').slice(-SHARED_DIGITS);

// The company's own line is in every call, and may stand on every page.
const CALLED = /^(to|called|dnis|called_number)$/i;
const CALLING = /^(from|caller|ani|caller_number)$/i;

/** The conversations that carry one of the numbers or addresses in their attributes. */
export function matching(conversations, { phones, emails }) {
  const numbers = new Set(phones.map(tail).filter((digits) => digits.length === SHARED_DIGITS));
  const addresses = new Set(emails.map((one) => one.toLowerCase()));
  return conversations.filter(({ attributes }) =>
    Object.entries(attributes ?? {}).some(([name, value]) => {
      const ours = attributes.direction === 'outbound' ? CALLING : CALLED;
      if (ours.test(name)) return false;
      const text = String(value).replace(/^(tel|sip|mailto):/i, '');
      return addresses.has(text.toLowerCase()) || (/^\+?[\d\s().-]+$/.test(text.split('@')[0]) && numbers.has(tail(text.split('@')[0])));
    }),
  );
}

/** `Daniel Okafor · since 14:05`, as far as it is known. */
export function nameOf({ parties, attributes, started_at: started }) {
  const customer = (parties ?? []).find((party) => party.role === 'customer');
  const name = customer?.name ?? attributes?.customer_name ?? attributes?.from ?? 'Customer';
  return `${name} · since ${new Date(started).toLocaleTimeString([], { hour: '2-digit', minute: '2-digit' })}`;
}
