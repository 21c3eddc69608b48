import { describe, expect, test } from 'vitest';
import { type Block, parse, plain } from './markdown.ts';

const words = (block: Block | undefined) => (block && 'spans' in block ? plain(block.spans) : undefined);

describe('Markdown becomes blocks', () => {
  test('headings, paragraphs, lists and tables', () => {
    const blocks = parse('# Refunds\n\nThey take **5** days,\nor `less`.\n\n1. Ask\n2. Wait\n   - a while\n\n| Fee | Repaid |\n|---|---|\n| £5 | *yes* |\n');
    expect(blocks.map((block) => block.kind)).toEqual(['heading', 'paragraph', 'list', 'table']);
    // A wrapped line is one line.
    expect(words(blocks[1])).toBe('They take 5 days, or less.');
    expect(blocks[1]).toMatchObject({ spans: [{}, { text: '5', bold: true }, {}, { text: 'less', code: true }, {}] });
    expect(blocks[2]).toMatchObject({ ordered: true, start: 1, items: [[{ kind: 'paragraph' }], [{ kind: 'paragraph' }, { kind: 'list', ordered: false }]] });
    expect(blocks[3]).toMatchObject({ rows: [[[{ text: '£5' }], [{ text: 'yes', italic: true }]]] });
  });

  test('characters stay as they were typed', () => {
    expect(words(parse('Fees & charges <5% "off" isn\'t &amp;')[0])).toBe('Fees & charges <5% "off" isn\'t &');
    expect(words(parse('&lt;b&gt; costs &pound;5 &#8211; &#39;now&#39; &what;')[0])).toBe("<b> costs £5 – 'now' &what;");
    expect(parse('`a < b && c`')).toMatchObject([{ spans: [{ text: 'a < b && c', code: true }] }]);
  });

  test('tags are words', () => {
    expect(parse('<script>alert(1)</script>\n')).toEqual([{ kind: 'code', text: '<script>alert(1)</script>' }]);
    const inline = parse('Say <b onclick="x()">hello</b> to them.')[0];
    expect(words(inline)).toBe('Say <b onclick="x()">hello</b> to them.');
  });

  test('only web and mail addresses can be followed', () => {
    const hrefs = (markdown: string) => parse(markdown).flatMap((block) => ('spans' in block ? block.spans.map((span) => span.href) : []));
    expect(hrefs('[a](https://example.com/x) [b](mailto:a@example.com)').filter(Boolean)).toEqual(['https://example.com/x', 'mailto:a@example.com']);
    for (const trap of ['[a](javascript:alert(1))', '[a](JaVaScRiPt:alert(1))', '[a](data:text/html,x)', '[a](//example.com)', '[a](vbscript:x)']) {
      expect(hrefs(trap).filter(Boolean), trap).toEqual([]);
    }
    expect(words(parse('![a map](https://example.com/map.png)')[0])).toBe('[picture: a map]');
  });

  test('what is too long is shown as it is written', () => {
    const long = '# a\n\n'.repeat(60_000);
    expect(parse(long)).toEqual([{ kind: 'code', text: long }]);
  });
});

test('what is nested beyond all measure is shown as it is written', () => {
  for (const text of [`${'>'.repeat(2_000)} a`, `${'- '.repeat(600)}a`, `${'> '.repeat(40)}a`]) expect(parse(text)).toEqual([{ kind: 'code', text }]);
  const deep = Array.from({ length: 80 }, (_, at) => `${'  '.repeat(at)}- x`).join('\n');
  expect(parse(deep)).toEqual([{ kind: 'code', text: deep }]);
  expect(parse('> > a')[0]?.kind).toBe('quote');
});
