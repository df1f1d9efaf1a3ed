using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Slipway.Documents.Access;
using Slipway.Documents.Ledger;
using Slipway.Primitives.Bytes;

namespace Slipway.Server.Access;

/// <summary>How the ledger names what access changes: by its path in the API, and with the document as it will be.</summary>
internal static class Subjects
{
    public static LedgerSubject Of(Principal principal) => new($"principals/{principal.Id}", null);

    public static LedgerSubject Of(ApiToken token) => new($"tokens/{token.Id}", null);

    public static LedgerSubject Of(TrustedKey key) => new($"trusted-keys/{key.Id}", Digest.Parse("sha256:" + key.Id));

    public static JsonElement Data<T>(T document, JsonTypeInfo<T> type) => JsonSerializer.SerializeToElement(document, type);
}
