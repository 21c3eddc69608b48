/** An error that the service explained (RFC 9457), or the lack of any answer. */
export class Problem extends Error {
  constructor(
    /** 0 means that the service could not be reached. */
    readonly status: number,
    readonly title: string,
    readonly detail: string,
  ) {
    super(detail || title);
    this.name = 'Problem';
  }

  static unreachable(): Problem {
    return new Problem(0, 'No connection', 'The service can’t be reached right now.');
  }
}

/** Reads the problem document; a proxy's HTML page in between still gives a readable sentence. */
export async function problemFrom(response: Response): Promise<Problem> {
  const fallback = `The service answered ${response.status}.`;
  if (!(response.headers.get('content-type') ?? '').includes('json')) {
    return new Problem(response.status, response.statusText, fallback);
  }
  const document = (await response.json().catch(() => ({}))) as { title?: string; detail?: string };
  return new Problem(response.status, document.title ?? response.statusText, document.detail ?? document.title ?? fallback);
}

/** One sentence for people, whatever was thrown. */
export function sentenceFor(error: unknown): string {
  if (!(error instanceof Error)) return 'Something went wrong.';
  const text = error.message.trim();
  const capital = text.charAt(0).toUpperCase() + text.slice(1);
  return /[.!?]$/.test(capital) ? capital : `${capital}.`;
}
