using Slipway.Documents.Reading;

namespace Slipway.Documents.Policies;

/// <summary>The JSON Schema (draft 7) of a trust policy file, made of the parser's own grammar.</summary>
public static class TrustSchema
{
    /// <summary>Indented JSON text with a line end at its end.</summary>
    public static string Json => SchemaDocument.Write("Slipway trust policy", "Whose signatures are believed, and what they must have said.", TrustGrammar.File.Schema());
}
