// The agent's own question, answered in steps: server-sent events in the body of a POST, which EventSource can't read.
import type { Foreign } from './client.ts';
import { Problem, problemFrom } from './problem.ts';
import type { AnsweredQuestion, ProvenSentence, Question } from './types.ts';

export interface AskSteps {
  onAsked: (asked: { question_id: string; question: string }) => void;
  /** All sentences that are proven so far; none when those before are void. */
  onWritten: (asked: { question_id: string; question: string }, sentences: ProvenSentence[]) => void;
}

interface Frame {
  event: string;
  data: unknown;
}

/** Cuts whole frames off a stream's text and says what is left of it. */
export function frames(text: string): { whole: Frame[]; rest: string } {
  const parts = text.split('\n\n');
  const rest = parts.pop() ?? '';
  const whole = parts.flatMap((part) => {
    const line = (name: string) => part.split('\n').find((l) => l.startsWith(`${name}: `))?.slice(name.length + 2);
    const [event, data] = [line('event'), line('data')];
    return event === undefined || data === undefined ? [] : [{ event, data: JSON.parse(data) as unknown }];
  });
  return { whole, rest };
}

/** Follows the steps of one answer. */
export class AskProgress {
  answer: AnsweredQuestion | undefined;
  private asked: { question_id: string; question: string } | undefined;
  private sentences: ProvenSentence[] = [];

  constructor(private readonly steps: AskSteps) {}

  take({ event, data }: Frame): void {
    if (event === 'asked') this.steps.onAsked((this.asked = data as { question_id: string; question: string }));
    else if (event === 'sentence') this.show([...this.sentences, data as ProvenSentence]);
    else if (event === 'restart') this.show([]);
    else if (event === 'answer') this.answer = data as AnsweredQuestion;
    else if (event === 'problem') {
      const { status, title, detail } = data as { status: number; title: string; detail?: string };
      throw new Problem(status, title, detail ?? '');
    }
  }

  private show(sentences: ProvenSentence[]): void {
    this.sentences = sentences;
    if (this.asked) this.steps.onWritten(this.asked, sentences);
  }
}

export async function askInSteps(conversationId: string, question: Question, steps: AskSteps, foreign?: Foreign): Promise<AnsweredQuestion> {
  let response: Response;
  try {
    response = await fetch(`${foreign?.base ?? ''}/v1/conversations/${encodeURIComponent(conversationId)}/ask`, {
      method: 'POST',
      credentials: foreign ? 'omit' : 'same-origin',
      headers: {
        accept: 'text/event-stream, application/problem+json', 'content-type': 'application/json',
        ...(foreign ? { authorization: `Bearer ${foreign.token}` } : {}),
      },
      body: JSON.stringify(question),
    });
  } catch {
    throw Problem.unreachable();
  }
  if (!response.ok || !response.body) throw await problemFrom(response);
  const progress = new AskProgress(steps);
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let text = '';
  try {
    for (;;) {
      const { value, done } = await reader.read();
      if (done) break;
      const { whole, rest } = frames(text + value);
      text = rest;
      whole.forEach((frame) => progress.take(frame));
    }
  } catch (error) {
    throw error instanceof Problem ? error : Problem.unreachable();
  }
  if (!progress.answer) throw Problem.unreachable();
  return progress.answer;
}
