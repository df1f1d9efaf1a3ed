using Slipway.Documents.Reading;

namespace Slipway.Documents.Specs;

/// <summary>The JSON Schema (draft 7) of <c>slipway.yaml</c>, made of the parser's own grammar.</summary>
/// <remarks>It accepts all that the parser accepts; what ties parts together (references, circles) the parser alone checks.</remarks>
public static class SpecSchema
{
    /// <summary>Indented JSON text with a line end at its end.</summary>
    public static string Json => SchemaDocument.Write(
        "slipway.yaml", "What a model depends on, how it is made, and what it must pass.", SpecGrammar.Spec.Schema(), ParamGrammar.SchemaDefinitions());
}
