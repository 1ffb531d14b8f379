/** In which language a page speaks, and how it writes numbers and times. */
import Negotiator from 'negotiator';
import type { IncomingMessage } from 'node:http';
import { html, type Part } from '../html.ts';
import { en, type Words } from './en.ts';
import { enFormats, type Formats, frFormats } from './formats.ts';
import { fr } from './fr.ts';

export const LANGUAGES = ['en', 'fr'] as const;
export type Language = (typeof LANGUAGES)[number];

const WORDS: Record<Language, Words> = { en, fr };
const FORMATS: Record<Language, Formats> = { en: enFormats, fr: frFormats };
export type Say = Words &
  Formats & {
    language: Language;
    /** What a document of ours says in English, told as such where the page does not speak it. */
    english(text: Part): Part;
    /** An address of our own, in the language that this page was asked for in so many words. */
    to(path: string): string;
    /** Set where the page was asked for in so many words in one language. */
    chosen: Language | undefined;
    /** This page in the other languages. */
    others: { language: Language; name: string; href: string }[];
  };

/** The language that the query asks for (`?lang=`), else the one that the browser prefers (RFC 9110, 12.5.4), else English. */
export function sayTo(request: { raw: IncomingMessage; url: string; query: unknown }): Say {
  const wanted = (request.query as { lang?: unknown } | undefined)?.lang;
  const chosen = LANGUAGES.find((one) => one === wanted);
  const preferred = new Negotiator(request.raw).language([...LANGUAGES]);
  const language = chosen ?? LANGUAGES.find((one) => one === preferred) ?? 'en';
  return {
    ...sayIn(language, chosen),
    others: LANGUAGES.filter((one) => one !== language).map((one) => ({
      language: one,
      name: WORDS[one].site.name,
      href: withLanguage(request.url, one),
    })),
  };
}

export function sayIn(language: Language, chosen?: Language): Say {
  return {
    ...WORDS[language],
    ...FORMATS[language],
    language,
    english: (text) => (language === 'en' ? text : html`<span lang="en">${text}</span>`),
    to: (path) => (chosen === undefined ? path : withLanguage(path, chosen)),
    chosen,
    others: [],
  };
}

function withLanguage(address: string, language: Language): string {
  const [, path = '', query = '', fragment = ''] = /^([^?#]*)(?:\?([^#]*))?(#.*)?$/.exec(address) ?? [];
  const rest = query.split('&').filter((part) => part !== '' && !/^lang(?:=|$)/.test(part));
  return `${path}?${[...rest, `lang=${language}`].join('&')}${fragment}`;
}
