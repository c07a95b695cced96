import { lexer, type Token, type Tokens } from "marked";
import { Fragment, type ReactNode } from "react";
import { safeUrl } from "@/lib/safeUrl";

/**
 * Markdown that an attacker may have written into: tokens become React elements, so text stays text. No raw HTML,
 * no images, and links go to http or https only, without a referrer.
 */
export function renderMarkdown(text: string): ReactNode {
  try {
    return blocks(lexer(text, { gfm: true })); // a single line break is a blank: files of rules are wrapped by hand
  } catch (error) {
    if (error instanceof RangeError) return <p>{text}</p>; // nested more deeply than the stack is
    throw error;
  }
}

export default function MarkdownText({ text }: { text: string }) {
  return <>{renderMarkdown(text)}</>;
}

const blocks = (tokens: Token[]): ReactNode => tokens.map((token, index) => <Fragment key={index}>{block(token)}</Fragment>);
const inlines = (tokens: Token[] | undefined): ReactNode => (tokens ?? []).map((token, index) => <Fragment key={index}>{inline(token)}</Fragment>);

function block(token: Token): ReactNode {
  switch (token.type) {
    case "space":
    case "def":
      return null;
    case "heading": {
      const { depth, tokens } = token as Tokens.Heading;
      const Tag = depth <= 2 ? "h3" : "h4"; // the page has its own h1 and h2
      return <Tag>{inlines(tokens)}</Tag>;
    }
    case "paragraph":
      return <p>{inlines((token as Tokens.Paragraph).tokens)}</p>;
    case "list": {
      const { ordered, items, start } = token as Tokens.List;
      const children = items.map((item, index) => (
        <li key={index}>
          {item.task && (item.checked ? "☑ " : "☐ ")}
          {blocks(item.tokens.filter((each) => each.type !== "checkbox"))}
        </li>
      ));
      return ordered ? <ol start={start === "" ? 1 : start}>{children}</ol> : <ul>{children}</ul>;
    }
    case "blockquote":
      return <blockquote>{blocks((token as Tokens.Blockquote).tokens)}</blockquote>;
    case "code":
      return (
        <pre>
          <code>{(token as Tokens.Code).text}</code>
        </pre>
      );
    case "hr":
      return <hr />;
    case "table": {
      const { header, rows } = token as Tokens.Table;
      return (
        <table>
          <thead>
            <tr>
              {header.map((cell, index) => (
                <th key={index}>{inlines(cell.tokens)}</th>
              ))}
            </tr>
          </thead>
          <tbody>
            {rows.map((row, index) => (
              <tr key={index}>
                {row.map((cell, column) => (
                  <td key={column}>{inlines(cell.tokens)}</td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      );
    }
    case "text": {
      const { tokens, text } = token as Tokens.Text;
      return tokens ? inlines(tokens) : unescape(text);
    }
    default:
      return token.raw; // HTML among others: shown as it was written
  }
}

function inline(token: Token): ReactNode {
  switch (token.type) {
    case "strong":
      return <strong>{inlines((token as Tokens.Strong).tokens)}</strong>;
    case "em":
      return <em>{inlines((token as Tokens.Em).tokens)}</em>;
    case "del":
      return <del>{inlines((token as Tokens.Del).tokens)}</del>;
    case "codespan":
      return <code>{unescape((token as Tokens.Codespan).text)}</code>;
    case "br":
      return <br />;
    case "link": {
      const { href, tokens } = token as Tokens.Link;
      const url = safeUrl(href);
      if (url === null) return token.raw;
      return (
        <a href={url} target="_blank" rel="noopener noreferrer nofollow" title={url}>
          {inlines(tokens)}
        </a>
      );
    }
    case "image":
      return token.raw; // an image would tell the attacker that somebody looks
    case "escape":
      return (token as Tokens.Escape).text;
    case "text": {
      const { tokens, text } = token as Tokens.Text;
      return tokens ? inlines(tokens) : unescape(text);
    }
    default:
      return token.raw;
  }
}

/** The lexer escapes some text for HTML; React escapes again, so the first is undone. */
const ENTITIES: Record<string, string> = { "&amp;": "&", "&lt;": "<", "&gt;": ">", "&quot;": '"', "&#39;": "'" };
const unescape = (text: string): string => text.replace(/&(?:amp|lt|gt|quot|#39);/g, (entity) => ENTITIES[entity] ?? entity);
