namespace Slipway.Documents.Specs;

/// <summary>Reads <c>slipway.yaml</c>.</summary>
public static class SpecParser
{
}
