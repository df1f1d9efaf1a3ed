using Slipway.Documents.Reading;

namespace Slipway.Documents.Policies;

/// <summary>The JSON Schema (draft 7) of a policy file, made of the parser's own grammar.</summary>
public static class PolicySchema
{
    /// <summary>Indented JSON text with a line end at its end.</summary>
    public static string Json => SchemaDocument.Write("Slipway policy", "What the server holds every release to.", PolicyGrammar.File.Schema());
}
