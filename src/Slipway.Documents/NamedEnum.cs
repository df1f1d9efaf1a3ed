using System.Text.Json.Serialization;

namespace Slipway.Documents;

/// <summary>Enums in documents are their names, and never numbers: a number that stands for nothing would be read as some value.</summary>
public sealed class NamedEnum<T>() : JsonStringEnumConverter<T>(namingPolicy: null, allowIntegerValues: false)
    where T : struct, Enum;
