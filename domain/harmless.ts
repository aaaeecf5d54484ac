const DANGEROUS = /[\p{Cc}\u202a-\u202e\u2066-\u2069]/gu;

/** Names and reasons come from others: none may move the cursor, change colours or turn the direction of the text. */
export const harmless = (text: string): string => text.replace(DANGEROUS, '?');
