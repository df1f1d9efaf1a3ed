using System.Collections.Immutable;
using Slipway.Documents.Reading;

namespace Slipway.Documents.Specs;

/// <summary>Shapes that several parts of the spec share.</summary>
internal static class Shapes
{
    /// <summary>Characters of a line that people read: a title, a column's name.</summary>
    private const int LongestLine = 200;

    public static Shape<string> Text { get; } = new TextShape();

    public static Shape<string> Line { get; } = new TextShape(longest: LongestLine);

    public static Shape<string> Name { get; } =
        new TextShape(NameRule.Identifier.Allowed, NameRule.IsIdentifier, $"^{NameRule.Identifier.Pattern}$", "bad-name");

    public static Shape<string> Version { get; } = new TextShape(VersionCondition.Allowed, VersionCondition.IsSound, VersionCondition.Pattern);

    /// <summary>The name of something that stands elsewhere in the spec; whether it does is checked there.</summary>
    public static Shape<Placed<string>> Reference { get; } = Placed(Line);

    /// <summary>A shell line, or the argument list of a program.</summary>
    public static Shape<Command> Command { get; } = new EitherShape<Command>(
        scalar: new MadeShape<string, Command>(new TextShape("text: a line for the shell"), (line, node) => new Command(["/bin/sh", "-c", line], ((ScalarNode)node).TextAt)),
        list: new MadeShape<ImmutableArray<string>, Command>(new ListShape<string>(new WordShape(), atLeast: 1), (words, node) => new Command(words, node.At)));

    public static Shape<Placed<T>> Placed<T>(Shape<T> shape) => new MadeShape<T, Placed<T>>(shape, (value, node) => new Placed<T>(value, node.At));

    public static Shape<T> Made<TFrom, T>(Shape<TFrom> from, Func<TFrom, T> make) => new MadeShape<TFrom, T>(from, (value, _) => make(value));
}
