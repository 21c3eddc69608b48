import { expect, test } from 'vitest';
import { channelName, isWritten, repliesOf, replyWords, withReply } from './replies.ts';

const write = (state: string, problem?: string) => ({ dedupe_key: 'k', turn_id: 't-4', state, destination: 'sms', ...(problem ? { problem } : {}) });

test('the newest that is told of a reply stands', () => {
  const replies = repliesOf([write('waiting'), write('failed', 'it refuses: status 400')]);
  expect(replies['t-4']?.state).toBe('failed');
  expect(withReply(replies, { dedupe_key: 'n', state: 'done', destination: 'crm' })).toBe(replies);
});

test('each state has its words, and only a failure can be tried again', () => {
  expect(replyWords(undefined)).toBeNull();
  expect(replyWords(write('waiting'))).toEqual({ words: 'sending …', failed: false });
  expect(replyWords(write('waiting', 'it can’t be reached'))?.words).toContain('sending again');
  expect(replyWords(write('failed', 'it refuses'))).toEqual({ words: 'not sent: it refuses', failed: true });
  expect(replyWords(write('done'))).toEqual({ words: 'sent', failed: false });
});

test('channels have names', () => {
  expect(isWritten({ channel: 'voice' })).toBe(false);
  expect(isWritten({ channel: 'mail' })).toBe(true);
  expect(channelName({ channel: 'chat', attributes: { via: 'webchat' } })).toBe('Web chat');
  expect(channelName({ channel: 'chat', attributes: { connector: 'twilio_sms', from: 'whatsapp:+44' } })).toBe('WhatsApp');
  expect(channelName({ channel: 'sms', attributes: {} })).toBe('SMS');
});
