import { type Server, createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

const since = new Date(Date.now() - 3 * 86_400_000).toISOString();
const person = (id: string, first_name: string, phone: string) => ({
  id, first_name, last_name: 'Okafor', phone, email: `${first_name.toLowerCase()}@okafor.example`, organization: 'Okafor Joinery', created_at: '2021-03-14T09:00:00Z',
  custom_fields: { tier: 'VIP' }, assigned_to: [],
});

/** As much of BottleCRM's interface as the service's connector uses: two people who share a number, and one open case. */
export class PlayedBottleCrm {
  /** The next writes are refused with this. */
  refuses = '';
  readonly notes: { to: string; text: string }[] = [];
  readonly calls: Record<string, unknown>[] = [];
  private readonly people = [person('11111111-1111-4111-8111-111111111111', 'Daniel', '020 7946 0123'), person('22222222-2222-4222-8222-222222222222', 'Grace', '+44 20 7946 0123')];
  private readonly matter = { id: '33333333-3333-4333-8333-333333333333', name: 'Router drops the line at night', status: 'Assigned', priority: 'High', created_at: since, assigned_to: [] };

  private constructor(private readonly server: Server) {}

  static async start(): Promise<PlayedBottleCrm> {
    const server = createServer();
    const crm = new PlayedBottleCrm(server);
    server.on('request', (request, response) => {
      const parts: Buffer[] = [];
      request.on('data', (part: Buffer) => parts.push(part));
      request.on('end', () => {
        const text = Buffer.concat(parts).toString();
        const [status, body] = crm.answer(request.method ?? 'GET', new URL(request.url ?? '/', 'http://crm'), text === '' ? {} : (JSON.parse(text) as Record<string, unknown>));
        response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
      });
    });
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
    return crm;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((done) => this.server.close(done));
  }

  private answer(method: string, { pathname, searchParams }: URL, body: Record<string, unknown>): [number, unknown] {
    const [, , what, id] = pathname.split('/').map(decodeURIComponent);
    if (pathname === '/api/contacts/duplicates/') {
      const digits = String(body['phone'] ?? '').replace(/\D/g, '').slice(-9);
      const found = digits === '' ? [] : this.people.filter((one) => one.phone.replace(/\D/g, '').endsWith(digits));
      return [200, { duplicates: found.map((one) => ({ ...one, matched_on: ['phone'] })) }];
    }
    if (method === 'POST' && this.refuses !== '') return [400, { error: true, errors: this.refuses }];
    if (what === 'interactions') {
      const home = searchParams.get('contact') ?? searchParams.get('case');
      if (method === 'POST') this.calls.push({ id: `i-${this.calls.length}`, occurred_at: body['occurred_at'], ...body });
      return method === 'POST' ? [201, this.calls.at(-1)] : [200, { interactions: this.calls.filter((one) => one['contact'] === home || one['case'] === home) }];
    }
    if (method === 'POST' && id) this.notes.push({ to: id, text: String(body['comment']) });
    const comments = this.notes.filter((note) => note.to === id).map((note, i) => ({ id: `n-${i}`, comment: note.text, commented_on: new Date().toISOString() }));
    if (what === 'contacts' && id) {
      const contact = this.people.find((one) => one.id === id);
      if (!contact) return [404, { error: true }];
      return [200, { contact_obj: contact, cases: [this.matter], comments, tasks: [], opportunities: [{ stage_kind: 'won', name: 'Full fibre 200' }] }];
    }
    if (what === 'cases' && id) return [200, { cases_obj: this.matter, comments: [], internal_notes: comments, email_messages: [], activities: [] }];
    return [404, { error: true }];
  }
}
