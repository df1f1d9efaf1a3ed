namespace Slipway.Pipeline.Execution.Plan;

/// <summary>A path inside the project: relative, with slashes, without <c>.</c>, <c>..</c> or empty parts. A folder or file.</summary>
internal readonly record struct ProjectPath
{
    private ProjectPath(string text) => Text = text;

    /// <summary>Without a slash at the end.</summary>
    public string Text { get; }

    /// <returns>False for an absolute path, one that leaves the project, and the project's root itself.</returns>
    public static bool TryParse(string text, out ProjectPath path)
    {
        path = default;
        if (text.StartsWith('/') || text.Contains('\0'))
            return false;
        var parts = text.Split('/').Where(part => part is not ("" or ".")).ToList();
        if (parts.Count == 0 || parts.Contains(".."))
            return false;
        path = new ProjectPath(string.Join('/', parts));
        return true;
    }

    /// <summary>Whether one is the other, or a folder that holds it.</summary>
    public bool Overlaps(ProjectPath other) => Holds(other) || other.Holds(this);

    /// <summary>Whether the other is this one, or lies below it.</summary>
    public bool Holds(ProjectPath other) =>
        other.Text == Text || other.Text.StartsWith(Text + "/", StringComparison.Ordinal);

    public override string ToString() => Text;
}
