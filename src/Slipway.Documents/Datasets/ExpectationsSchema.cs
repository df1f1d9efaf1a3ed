using Slipway.Documents.Reading;

namespace Slipway.Documents.Datasets;

/// <summary>The JSON Schema (draft 7) of an expectations file, made of the parser's own grammar.</summary>
public static class ExpectationsSchema
{
    /// <summary>Indented JSON text with a line end at its end.</summary>
    public static string Json => SchemaDocument.Write("Slipway expectations", "What a dataset must be like.", ExpectationsGrammar.File.Schema());
}
