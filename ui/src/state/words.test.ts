import { describe, expect, test } from 'vitest';
import type { Envelope, Evidence, Summary } from '../api/types.ts';
import { callerName, withCallEvent } from './calls.ts';
import { actionFor } from './keys.ts';
import { blocks, findQuote, sourcesOf } from './passage.ts';
import { callTime, lastWord, pieces, sliceCodePoints } from './text.ts';

describe('text', () => {
  test('masks become chips and the words around them stay', () => {
    expect(pieces('It is [card-1], ok')).toEqual([
      { kind: 'text', text: 'It is ' }, { kind: 'masked', label: 'card number hidden' }, { kind: 'text', text: ', ok' },
    ]);
  });

  test('brackets that are no mask stay words', () => {
    expect(pieces('[laughs] and [1]')).toEqual([{ kind: 'text', text: '[laughs] and [1]' }]);
  });

  test('slices count code points, not UTF-16 units', () => {
    expect(sliceCodePoints('😀 fee', 2, 5)).toBe('fee');
  });

  test('the last word is cut off so that something can be glued to it', () => {
    expect(lastWord('We repay it.')).toEqual(['We repay ', 'it.']);
    expect(lastWord('Fee')).toEqual(['', 'Fee']);
    expect(lastWord('')).toEqual(['', '']);
    const address = `https://${'example.'.repeat(4)}`;
    expect(lastWord(`See ${address}`)).toEqual([`See ${address}`, '']);
  });

  test('call times pass the hour', () => {
    expect([callTime(0), callTime(134_000), callTime(3_724_000)]).toEqual(['00:00', '02:14', '1:02:04']);
  });
});

describe('passage', () => {
  test('each place that a sentence rests on is shown once', () => {
    const turn = (turn_id: string, start: number): Evidence => ({ of: 'turn', turn_id, role: 'agent', start, end: start + 3, quote: 'fee' });
    const passage = (start: number): Evidence => ({ of: 'passage', article_id: 'a', passage_id: 'a#1', revision: 1, start, end: start + 3, quote: 'fee' });
    const all = [turn('t-1', 0), turn('t-1', 9), passage(0), turn('t-2', 0), passage(0), passage(5)];
    expect(sourcesOf(all)).toEqual([all[0], all[2], all[3], all[5]]);
  });

  const text = 'We 😀 **refund** it.\n\n- within five\nworking days\n- to the account';

  test('a quote is found by its code-point offsets', () => {
    expect(findQuote(text, { start: 5, end: 15, quote: '**refund**' })).toEqual({ start: 5, end: 15 });
  });

  test('moved words are found again; changed words are not', () => {
    expect(findQuote(text, { start: 0, end: 6, quote: 'refund' })).toEqual({ start: 7, end: 13 });
    expect(findQuote(text, { start: 0, end: 6, quote: 'seven days' })).toBeNull();
  });

  test('marks run over wrapped lines and leave Markdown behind', () => {
    const range = findQuote(text, { start: 0, end: 0, quote: 'within five\nworking days' });
    const [, item] = blocks(text, range);
    expect(item?.kind).toBe('item');
    expect(item?.runs.every((run) => run.marked)).toBe(true);
    expect(item?.runs.map((run) => run.text).join('')).toBe('within five working days');
    expect(blocks(text, null)[0]?.runs.find((run) => run.bold)?.text).toBe('refund');
  });
});

describe('keys', () => {
  const press = (key: string, change = {}) => ({ key, ctrlKey: false, metaKey: false, altKey: false, repeat: false, ...change });

  test('no letter is a command while somebody types, but Escape is', () => {
    expect(['1', 'e', 'x', '/', 'm', '?'].map((key) => actionFor(press(key), true))).toEqual(Array(6).fill(undefined));
    expect(actionFor(press('Escape'), true)).toEqual({ do: 'close' });
  });

  test('a key with a modifier belongs to the browser', () => {
    expect(actionFor(press('1', { ctrlKey: true }), false)).toBeUndefined();
  });

  test('a held-down key dismisses one card, not all', () => {
    expect(actionFor(press('x', { repeat: true }), false)).toBeUndefined();
    expect(actionFor(press('j', { repeat: true }), false)).toEqual({ do: 'next' });
  });

  test('digits name cards', () => {
    expect(actionFor(press('3'), false)).toEqual({ do: 'insert', index: 2 });
    expect(actionFor(press('4'), false)).toBeUndefined();
  });
});

describe('calls', () => {
  const started: Envelope = {
    id: 'e', type: 'backchannel.conversation.started', time: '2026-11-22T10:00:00Z', subject: 'c-1', sequence: 1,
    data: { channel: 'voice', external_id: null, parties: [{ id: 'p-1', role: 'customer', name: 'Daniel' }], attributes: {} },
  };

  test('a call appears once and goes when it ends', () => {
    const one = withCallEvent([], started);
    expect(withCallEvent(one, started)).toBe(one);
    expect(withCallEvent(one, { ...started, type: 'backchannel.conversation.ended' })).toEqual([]);
  });

  test('a caller without a name is the customer', () => {
    expect(callerName(withCallEvent([], started)[0] as Summary)).toBe('Daniel');
    expect(callerName({ parties: [], attributes: {}, channel: 'voice' })).toBe('Customer');
  });
});
