namespace Slipway.Tests.Architecture;

/// <summary>A type with its namespace; a nested type counts as the one around it.</summary>
/// <param name="Assembly">Null for the scanned assembly itself.</param>
internal readonly record struct TypeName(string? Assembly, string Namespace, string Name)
{
    public override string ToString() => Namespace + "." + Name;
}

/// <summary>That one type of the scanned assembly mentions another, in a signature, a method body or an attribute.</summary>
/// <param name="Member">The member of <paramref name="To"/> that is used; null for the type itself.</param>
internal readonly record struct TypeUse(TypeName From, TypeName To, string? Member);
