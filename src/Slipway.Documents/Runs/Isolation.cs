using System.Text.Json.Serialization;

namespace Slipway.Documents.Runs;

/// <summary>What keeps a stage from what it does not declare. Ordered: a higher one encloses more.</summary>
[JsonConverter(typeof(NamedEnum<Isolation>))]
public enum Isolation
{
    /// <summary>A private folder and private variables, and nothing that holds a command to them. The zero value, so an unset level claims nothing.</summary>
    [JsonStringEnumMemberName("none")] None,

    /// <summary>A container of an OCI runtime over the same view of the host, without a user namespace's last locks.</summary>
    [JsonStringEnumMemberName("oci")] Oci,

    /// <summary>Bubblewrap: its inputs read-only, its outputs, its environment and nothing else; own namespaces, no capability, a filter of system calls.</summary>
    [JsonStringEnumMemberName("sandbox")] Sandbox,
}

public static class IsolationWords
{
    public static string Word(this Isolation isolation) => NamedEnum<Isolation>.Word(isolation);
}
