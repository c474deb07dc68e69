// The part of age-encryption that the site uses: X25519 recipients and passphrases. Bundled by `make assets` into ../static/bidding/age.min.js.
export { Decrypter, Encrypter, generateX25519Identity, identityToRecipient } from "age-encryption";
