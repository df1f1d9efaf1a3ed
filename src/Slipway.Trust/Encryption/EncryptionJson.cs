using System.Text.Json;
using System.Text.Json.Serialization;

namespace Slipway.Trust.Encryption;

/// <summary>JWE's protected header, as <see cref="SealedMessage"/> writes it. Source: RFC 7516, section 4.</summary>
internal sealed record Header(string Alg, string Enc, EphemeralKey Epk, string Kid);

/// <param name="X">Base64url; likewise <paramref name="Y"/>.</param>
internal sealed record EphemeralKey(string Crv, string Kty, string X, string Y);

[JsonSourceGenerationOptions(JsonSerializerDefaults.Strict, PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(Header))]
internal sealed partial class EncryptionJson : JsonSerializerContext;
