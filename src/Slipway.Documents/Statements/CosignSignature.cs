using System.Text.Json;
using System.Text.Json.Nodes;
using Slipway.Primitives.Bytes;
using Slipway.Trust.Attestations;

namespace Slipway.Documents.Statements;

/// <summary>What <c>cosign sign</c> states of an image since version 3: nothing but that it was signed, with the signer's own annotations on the subject.</summary>
/// <remarks>Source: sigstore/cosign, bundle format v0.3.</remarks>
public static class CosignSignature
{
    public const string PredicateType = "https://sigstore.dev/cosign/sign/v1";

    /// <param name="annotations">Text by name; empty for none.</param>
    public static Statement About(Digest bundle, JsonObject annotations)
    {
        using var said = JsonDocument.Parse(annotations.ToJsonString());
        using var nothing = JsonDocument.Parse("{}");
        var subject = new StatementSubject(ResourceDescriptor.Sha256(bundle), Annotations: annotations.Count == 0 ? null : said.RootElement.Clone());
        return new Statement(Statement.V1, [subject], PredicateType, nothing.RootElement.Clone());
    }
}
